"""geodata.sources.sentinelhub.products: the two Sentinel-2 products and their bands; knows no requests."""

from dataclasses import dataclass

from geodata.errors import InputError

SCENE_CLASSES = "SCL"
"""Name of the scene classification band, which only L2A has."""

DEFAULT_BANDS = ("B04", "B03", "B02")

_COMMON = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")


@dataclass(frozen=True)
class Product:
    """A Sentinel-2 product as the service names it and as our files name it."""

    collection: str
    """Id of the collection in the Catalog and in the Process API."""
    tag: str
    """What the files' tag PRODUCT says."""
    bands: tuple[str, ...]
    """The reflectance bands it has."""
    has_scene_classes: bool


PRODUCTS = {
    "l2a": Product("sentinel-2-l2a", "S2-L2A", _COMMON, True),
    "l1c": Product("sentinel-2-l1c", "S2-L1C", (*_COMMON[:10], "B10", *_COMMON[10:]), False),
}


def product_named(name: str) -> Product:
    """The product called `l2a` or `l1c`, in any case. Raises `InputError` for another name."""
    product = PRODUCTS.get(name.lower())
    if product is None:
        raise InputError(f"There is no product {name!r}; choose one of {', '.join(PRODUCTS)}.")
    return product


def bands_of(product: Product, names: tuple[str, ...]) -> tuple[str, ...]:
    """Bands to write, in order: the reflectance bands asked for, then SCL where the product has it.

    Raises:
        InputError: no reflectance band, one that the product lacks, or one named twice.
    """
    asked = tuple(name.strip().upper() for name in names if name.strip())
    reflectance = tuple(name for name in asked if name != SCENE_CLASSES)
    unknown = [name for name in reflectance if name not in product.bands]
    if unknown:
        raise InputError(
            f"{product.tag} has no band {', '.join(unknown)}; choose from {', '.join(product.bands)}."
        )
    if not reflectance or len(set(reflectance)) < len(reflectance):
        raise InputError(
            f"--bands {','.join(names)!r} must name one or more bands, each once, such as B04,B03,B02."
        )
    return (*reflectance, SCENE_CLASSES) if product.has_scene_classes else reflectance
