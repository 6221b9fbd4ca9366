from iniconfig import IniConfig


def names(path):
    return [section.name for section in IniConfig(path)]
