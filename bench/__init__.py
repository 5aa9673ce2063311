"""The benchmark: what a mail costs the daemon, beside the least it could cost (`make bench`)."""
