"""Django with django-fsm and simple-history, in a file: `python -m django_desk FILE`."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ["DESK_DATABASE"] = sys.argv[1]
    os.environ["DJANGO_SETTINGS_MODULE"] = "django_desk.settings"
    django.setup()
    from django.core.management import call_command

    import driver
    from django_desk.work import Desk

    call_command("migrate", run_syncdb=True, verbosity=0)
    driver.main(Desk())
