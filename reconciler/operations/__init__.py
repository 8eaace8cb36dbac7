"""The story of each command, one verb a module: what a person or a program asks for, from start to end."""
