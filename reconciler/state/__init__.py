"""The record of what this project manages."""
