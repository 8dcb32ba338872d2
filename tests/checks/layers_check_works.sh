#!/bin/sh
# The check of the layers finds each thing that it is there to find: layers_check_works.sh LAYERS-SCRIPT
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/drmclient" "$tree/drmclient/examples" "$tree/fbemu" "$tree/cuse"

expect() { # expect STATUS FILE LINE
  printf '%s\n' "$3" > "$tree/$2"
  status=0
  sh "$check" "$tree" > /dev/null || status=$?
  rm "$tree/$2"
  [ "$status" -eq "$1" ] || { echo "error: '$3' in $2 gave $status, not $1"; exit 1; }
}

check=$1
expect 0 cuse/a.cc '#include "fbemu/framebuffer.h"'
expect 0 fbemu/a.h '#include "drmclient/card.h"'
expect 0 fbemu/a.h '#include <linux/fb.h>'
expect 1 drmclient/a.h '#include "fbemu/region.h"'
expect 1 drmclient/a.h '#include "cuse/node.h"'
expect 1 drmclient/a.cc '#include <linux/fb.h>'
expect 1 drmclient/a.cc '  #  include <fuse3/fuse.h>'
expect 0 drmclient/examples/a.cc '#include "drmclient/kms_options.h"'
expect 1 drmclient/examples/a.cc '#include "drmclient/kms_card.h"'
expect 1 drmclient/examples/a.cc '#include <xf86drmMode.h>'
expect 1 fbemu/a.cc '#include "cuse/node.h"'
expect 1 fbemu/a.cc '#include <fuse_lowlevel.h>'
expect 1 fbemu/a.h '#include <xf86drm.h>'
expect 1 fbemu/a.h '#include <libdrm/drm_fourcc.h>'
expect 1 cuse/a.cc '#include <xf86drmMode.h>'
expect 1 cuse/a.cc '#include <pixman.h>'
