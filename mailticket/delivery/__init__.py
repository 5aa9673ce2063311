"""Ways mail goes out: smarthost or local Maildir, and the templates that make it."""
