"""The built-in weights, and the name of every generation of them that was ever published."""

__all__ = ["PUBLISHED"]

# Fingerprint: name and generation. Lines are added and never changed: files of any age name their
# model by its fingerprint alone.
PUBLISHED = {
    "c04ff1710fa201f5": ("photo", 1),
    "00c525ed972c282c": ("photo-psnr", 1),
    "f71c780296ad701a": ("photo", 2),
    "9e034c98c0ef33bd": ("photo-psnr", 2),
    "c0c1b26c8a51e62b": ("photo", 3),
    "fadd7e82fc6214ef": ("photo-psnr", 3),
    "2612ca6525b9d9d4": ("photo", 4),
    "dc9423d8971bafb3": ("photo", 5),
    "c5a7d1528c111ce5": ("photo-psnr", 4),
    "1685dd08a119a0a0": ("photo", 6),
    "fd6039349b7b1da7": ("photo-psnr", 5),
}
