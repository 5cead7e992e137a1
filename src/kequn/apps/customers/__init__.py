"""Legal persons, how they are identified, who owns them, whom to call, and what they reported."""
