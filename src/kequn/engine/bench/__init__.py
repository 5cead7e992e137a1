"""The published figures of the engine, each phase measured in a process of its own."""
