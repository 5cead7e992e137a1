import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "__first__"), ("assessments", "0006_cause_of_the_end")]

    operations = [
        migrations.AlterField(
            model_name="pin",
            name="customer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="pins", to="customers.customer"
            ),
        )
    ]
