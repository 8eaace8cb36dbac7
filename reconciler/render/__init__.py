"""Plans, reports and drift for people: as text, Markdown and HTML."""
