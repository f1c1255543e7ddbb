"""detection.merge: volunteers and detector become one probability per site."""
