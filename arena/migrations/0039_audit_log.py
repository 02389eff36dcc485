import django.utils.timezone
from django.db import migrations, models

NEVER_CHANGED = """
CREATE FUNCTION arena_auditentry_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.created_at < now() - interval '365 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is never changed, and its rows are kept for a year' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER auditentry_never_changed BEFORE UPDATE OR DELETE ON arena_auditentry
    FOR EACH ROW EXECUTE FUNCTION arena_auditentry_is_final();
"""
CHANGED_AGAIN = (
    "DROP TRIGGER auditentry_never_changed ON arena_auditentry; DROP FUNCTION arena_auditentry_is_final();"
)


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0038_operators_page"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, editable=False, verbose_name="at"
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        choices=[("admin", "admin"), ("account", "account"), ("command", "command")],
                        max_length=8,
                        verbose_name="by way of",
                    ),
                ),
                (
                    "staff_id",
                    models.BigIntegerField(
                        help_text="Nobody where it was done on the server's command line.",
                        null=True,
                        verbose_name="number of the account",
                    ),
                ),
                ("act", models.CharField(max_length=120, verbose_name="act")),
                ("about", models.CharField(blank=True, max_length=400, verbose_name="about")),
            ],
            options={
                "verbose_name": "entry of the audit log",
                "verbose_name_plural": "audit log",
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.RunSQL(NEVER_CHANGED, CHANGED_AGAIN),
    ]
