"""A state on a branch of a Git remote: the same transactions as in a database, each confirmed by a push.

`command` runs git, `branch` is what the state does with a remote, `files` turns rows into JSON files and back, `view`
holds the rows of the branch in memory, `history` writes the commit messages, `database` puts them together.
"""
