"""Files are opened in a process of their own with limited memory and time. Knows no Django."""
