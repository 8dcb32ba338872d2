#!/bin/sh
# Fails where a layer includes a header that it must not know: layers.sh SOURCE-FOLDER
#
#   cuse/ -> fbemu/ -> drmclient/        a layer never includes one above it
#   drmclient/   knows no linux/fb.h and no fuse*.h
#   drmclient/examples/   knows no libdrm and no udev, and what makes a card of them only as kms_options.h
#   fbemu/       knows no fuse*.h and no xf86drm*.h
#   cuse/        knows no xf86drm*.h and no pixman.h: it holds no pixel code
set -eu
cd "$1"
failed=0

# forbid LAYER PATTERN: no file of LAYER may include what matches PATTERN (an extended regular expression).
forbid() {
  if grep -rnE --include='*.h' --include='*.cc' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" "$1"; then
    echo "error: $1/ must not include the above"
    failed=1
  fi
}

for layer in drmclient fbemu cuse; do
  [ -d "$layer" ] || { echo "error: there is no folder $layer in $1"; exit 1; }
done
forbid drmclient 'fbemu/|cuse/|tests/|linux/fb\.h|fuse|cuse'
forbid drmclient/examples 'libdrm/|xf86drm|drm/|drm\.h|drm_|libudev|drmclient/(kms_(card|commit|modes|output|pipe)|drm_|dumb_|atomic_|legacy_|saved_|udev_|resume_|vblank_|buffer_)'
forbid fbemu 'cuse/|tests/|fuse|libdrm/|xf86drm|drm/|drm\.h|drm_'
forbid cuse 'tests/|libdrm/|xf86drm|drm/|drm\.h|drm_|pixman'
exit $failed
