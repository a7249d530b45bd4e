"""Documents: a real folder of files, read as articles and cut along its headings, tables and lists (for notebook 11).

Every format becomes Markdown text: `read_folder` reads, `passages_of` cuts.
"""

from utils.documents.chunks import passages_of
from utils.documents.files import MAX_MEGABYTES
from utils.documents.folder import ENDINGS, Folder, Read, Skipped, read_folder

__all__ = ["ENDINGS", "MAX_MEGABYTES", "Folder", "Read", "Skipped", "passages_of", "read_folder"]
