#!/bin/sh
# Makes the reference of the interfaces from the headers' comments, and fails where a comment is wrong, or where a public name of
# drmclient has none: api_documentation.sh SOURCE-FOLDER OUTPUT-FOLDER
set -eu
cd "$1"
mkdir -p "$2/check"
(cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $2") | doxygen -
(cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $2/check"; echo INPUT = docs/api.dox drmclient; echo WARN_IF_UNDOCUMENTED = YES; echo GENERATE_HTML = NO
 echo GENERATE_XML = YES) | doxygen -
