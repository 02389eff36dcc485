from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ArenaConfig(AppConfig):
    name = "arena"
    verbose_name = "Lehia"


class StaffAdminConfig(AdminConfig):
    default_site = "arena.accounts.staff.StaffSite"
