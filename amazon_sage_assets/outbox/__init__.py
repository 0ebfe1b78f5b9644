"""The outbox: every effect on a remote system is planned, then sent, then proven. Pure: no Dagster."""
