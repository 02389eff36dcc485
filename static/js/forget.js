// On the page that says somebody is deleted: what this browser kept for them goes too.
import { dropDrafts } from "./drafts.js";

dropDrafts();
