"""geodata.painter: paints made-up scenes with kilns and look-alikes, from a seed; knows no model and no detection.

Colours and textures come from `statistics.json`, measured on real scenes by `scripts/measure_painter_statistics.py`.
"""

from geodata.painter.scene import PaintedScene, paint_scene
from geodata.painter.write import write_painted

__all__ = ["PaintedScene", "paint_scene", "write_painted"]
