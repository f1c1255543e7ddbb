"""geodata.tables.columns: the names and meanings of the detection and coverage columns."""

DETECTION_COLUMNS = (
    "detection_id",  # string, the same for the same kiln, scene and model wherever the run folder is
    "scene_id",
    "acquired_at",  # timestamp[us, UTC], nullable
    "site_type",  # "brick_kiln"
    "kiln_class",  # "unknown"
    "score",  # float32 0-1, the model's own output
    "probability",  # float32, nullable
    "length_m",  # float32
    "width_m",  # float32
    "angle_deg",  # float32 in [0, 180)
    "model_id",
    "geometry",  # EPSG:4326 polygon, four corners
)

COVERAGE_COLUMNS = (
    "tile_id",  # "15/x/y" of the zoom-15 Web-Mercator grid
    "scene_id",
    "acquired_at",
    "model_id",
    "observed_share",  # float32 0-1: the share of the tile's area that was observed in this scene
    "state",  # "kiln" | "none" | "not_observed"
    "geometry",  # EPSG:4326 polygon of the tile
)

SITE_TYPE = "brick_kiln"
KILN_CLASS_UNKNOWN = "unknown"
TILE_STATES = ("kiln", "none", "not_observed")
OBSERVED_AT_LEAST = 0.9
ANSWERS = ("kiln", "none", "unsure", "bad_image")
VERDICTS = ("kiln", "not_kiln", "gone", "unsure")
