from django.db import migrations


class Migration(migrations.Migration):
    """Volunteers are asked again: the text now tells of answers under other licences and of control battles."""

    dependencies = [("arena", "0012_ledger_of_credits")]

    operations = [
        migrations.RunSQL(
            "UPDATE arena_campaign SET consent_version = '2026-12' WHERE consent_version = '2026-11'",
            migrations.RunSQL.noop,
        )
    ]
