"""What a backup is on the disk, and PostgreSQL's own tools that make and read its database. Imports no Django."""
