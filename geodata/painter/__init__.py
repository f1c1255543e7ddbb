"""geodata.painter: paints made-up scenes with kilns and look-alikes; knows no model and no detection.

Colours and textures come from `statistics.json`, which `scripts/measure_painter_statistics.py`
measured on real scenes.
"""

from geodata.painter.scene import PaintedScene, paint_scene
from geodata.painter.write import write_painted

__all__ = ["PaintedScene", "paint_scene", "write_painted"]
