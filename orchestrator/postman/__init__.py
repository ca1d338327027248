"""SMTP from this machine: letters handed over, and what a partner's hosts offer looked at."""
