"""`mailticket demo`: a ticket's whole life, played over real SMTP through the real daemon, and checked."""
