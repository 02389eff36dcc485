from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InferenceConfig(AppConfig):
    name = "inference"
    verbose_name = _("Candidates and endpoints")

    def ready(self) -> None:
        from inference.services import traffic

        traffic.plug_in()
