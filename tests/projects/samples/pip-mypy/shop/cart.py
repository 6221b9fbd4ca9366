def total(prices: list[float]) -> float:
    return str(sum(prices))


def first(prices: list[float]) -> float:
    return prices.first
