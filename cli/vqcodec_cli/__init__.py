"""The vqcodec command."""
