#!/bin/sh
# Compares the contracts here with what was promised: by the last release; before there is one, by main where
# this branch left it; on main itself by the commit before. BUF names the program.
set -eu
cd "$(dirname "$0")/.."
buf=${BUF:-.venv/bin/buf}

base=$(git describe --tags --abbrev=0 --match 'v[0-9]*' HEAD^ 2>/dev/null || true)
if [ -z "$base" ]; then
    main=$(git rev-parse --verify --quiet main || git rev-parse --verify --quiet origin/main || true)
    [ -z "$main" ] || base=$(git merge-base HEAD "$main")
    # A comparison with itself would find nothing.
    [ "$base" != "$(git rev-parse HEAD)" ] || base=
    [ -n "$base" ] || base=$(git rev-parse --verify --quiet HEAD^ || true)
fi
if [ -z "$base" ] || ! git cat-file -e "$base:protos/buf.yaml" 2>/dev/null; then
    echo "buf breaking: skipped, there is no earlier state of the protos to compare with"
    exit 0
fi
echo "buf breaking, against $(git describe --always --tags "$base")"
exec "$buf" breaking protos --against "$(git rev-parse --path-format=absolute --git-common-dir)#ref=$(git rev-parse "$base"),subdir=protos"
