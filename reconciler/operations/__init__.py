"""What a person or a program asks for, from start to end: one verb a module."""
