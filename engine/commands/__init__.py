"""Commands about the runs of an archive, and what all commands share. Each is a few lines that call a room."""
