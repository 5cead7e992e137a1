"""What goes out to readers: reports, one at a time or for many customers at once."""
