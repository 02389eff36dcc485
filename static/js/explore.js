// Swagger UI over the site's own description; it asks no other host.
const explorer = document.getElementById("explorer");
globalThis.SwaggerUIBundle({
  domNode: explorer,
  url: explorer.dataset.url,
  layout: "BaseLayout",
  presets: [globalThis.SwaggerUIBundle.presets.apis],
  supportedSubmitMethods: ["get"],
  validatorUrl: null,
  deepLinking: true,
});
