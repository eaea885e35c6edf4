"""The built-in weights, and the name of every generation of them that was ever published."""

__all__ = ["PUBLISHED"]

# Fingerprint: name and generation. Lines are added and never changed: files of any age name their
# model by its fingerprint alone.
PUBLISHED = {
    "c04ff1710fa201f5": ("photo", 1),
    "00c525ed972c282c": ("photo-psnr", 1),
    "f71c780296ad701a": ("photo", 2),
    "9e034c98c0ef33bd": ("photo-psnr", 2),
}
