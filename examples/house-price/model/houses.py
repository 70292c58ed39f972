"""Houses that never stood: rooms, areas and a place, and the price that a made-up market pays for them."""

import numpy as np

FEATURES = (
    "bedrooms",
    "bathrooms",
    "living_area_m2",
    "lot_area_m2",
    "floors",
    "condition",
    "grade",
    "age_years",
    "distance_km",
)


def make_houses(count, seed):
    """Gives `count` houses as a float32 array, a column for each of FEATURES, and their prices in dollars."""
    random = np.random.default_rng(seed)
    living_area = np.clip(random.lognormal(mean=5.0, sigma=0.4, size=count), 40, 600)
    bedrooms = np.clip(np.round(living_area / 55 + random.normal(0.5, 0.7, count)), 1, 8)
    bathrooms = np.clip(np.round(2 * (bedrooms * 0.6 + random.normal(0.3, 0.4, count))) / 2, 1, 6)
    lot_area = living_area * random.uniform(1.5, 12, count)
    floors = random.choice([1.0, 1.5, 2.0, 3.0], size=count, p=[0.5, 0.1, 0.35, 0.05])
    condition = random.integers(1, 6, count)
    grade = np.clip(np.round(4 + living_area / 60 + random.normal(0, 1, count)), 3, 13)
    age = random.integers(0, 120, count)
    distance = random.gamma(shape=2.0, scale=6.0, size=count)
    houses = np.column_stack(
        [bedrooms, bathrooms, living_area, lot_area, floors, condition, grade, age, distance]
    ).astype(np.float32)
    return houses, price_of(houses) * random.normal(1, 0.05, count)


def price_of(houses):
    """What the market pays for each house before chance moves the price by a few percent."""
    bedrooms, bathrooms, living_area, lot_area, floors, condition, grade, age, distance = houses.T.astype(np.float64)
    area_price = 1_900 * living_area * (0.55 + 0.09 * (grade - 3))
    comfort = 9_000 * bathrooms + 4_000 * bedrooms + 6_000 * floors
    land = 45 * lot_area
    wear = 1 - 0.0025 * np.minimum(age, 80) * (6 - condition) / 3
    place = 0.6 + 1.1 * np.exp(-distance / 9)
    return (area_price * wear + comfort + land) * place
