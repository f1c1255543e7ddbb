"""geodata.sources.sentinelhub.evalscript: the script that the service runs for each pixel.

It gives 16-bit numbers: reflectance x 10,000 (harmonised over processing baselines, see `process.py`) and SCL
as it is. Where the service has no data every band is 0; where it has, reflectance is at least 1, since a
harmonised dark pixel can be 0 and 0 means "no data" in our files.
"""

from geodata.sources.sentinelhub.products import SCENE_CLASSES

_SCRIPT = """//VERSION=3
function setup() {{
  return {{
    input: [{{ bands: [{names}, "dataMask"], units: "DN" }}],
    output: {{ id: "default", bands: {count}, sampleType: "UINT16" }},
    mosaicking: "SIMPLE"
  }};
}}
function evaluatePixel(s) {{
  if (s.dataMask === 0) {{
    return [{zeros}];
  }}
  return [{values}];
}}
"""


def evalscript(bands: tuple[str, ...]) -> str:
    """The script that gives these bands, in this order, as 16-bit numbers."""
    return _SCRIPT.format(
        names=", ".join(f'"{band}"' for band in bands),
        count=len(bands),
        zeros=", ".join("0" for _ in bands),
        values=", ".join(
            f"s.{band}" if band == SCENE_CLASSES else f"Math.max(1, s.{band})" for band in bands
        ),
    )
