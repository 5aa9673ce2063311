"""Ways mail comes in: SMTP and LMTP server, IMAP, pipe. An edge persists before it acknowledges."""
