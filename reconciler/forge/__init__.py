"""What a pipeline does at its forge (GitHub, GitLab): comments, issues, reviewed plans, decisions."""
