from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ArenaConfig(AppConfig):
    name = "arena"
    verbose_name = "Lehia"

    def ready(self) -> None:
        import logging

        from django.conf import settings

        from arena.reporting import keep_rows_out_of_logs

        keep_rows_out_of_logs()
        logging.captureWarnings(capture=True)  # Python would write them as they are
        if settings.SENTRY_DSN:
            from arena.observing import sentry

            sentry.begin(settings.SENTRY_DSN)


class StaffAdminConfig(AdminConfig):
    default_site = "arena.accounts.staff.StaffSite"

    def ready(self) -> None:
        super().ready()
        from arena.admin.logins import take_the_place

        take_the_place()
