import os
import sys


def collect(item, into=[]):
    into.append(undefined_name)
    return into
