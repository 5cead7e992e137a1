"""One box finds customers, groups and projects: by fragments, pinyin, initials, codes. One table for both databases."""
