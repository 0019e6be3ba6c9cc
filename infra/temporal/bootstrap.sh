#!/bin/sh
# Makes a Temporal namespace ready for Freshet: the namespace, its search attributes, and, for dataset files that are named, their
# workflows and schedules. Running it twice changes nothing.
#
#   TEMPORAL_ADDRESS=temporal.example.org:7233 TEMPORAL_NAMESPACE=freshet-prod infra/temporal/bootstrap.sh --stage prod datasets/*.yaml
#
# TEMPORAL_RETENTION  how long closed workflows are kept (default 30d)
# TEMPORAL_CLI        the Temporal CLI (default: temporal)
# FRESHET             the command freshet (default: bin/freshet of this checkout)
set -eu

address=${TEMPORAL_ADDRESS:-127.0.0.1:7233}
namespace=${TEMPORAL_NAMESPACE:-default}
cli=${TEMPORAL_CLI:-temporal}
freshet=${FRESHET:-"$(dirname "$0")/../../bin/freshet"}
# As src/contract/ids.ts has them; a test holds the two together.
attributes="FreshetDataset FreshetGranule FreshetStage"

on_server() { "$cli" operator "$@" --address "$address" --namespace "$namespace"; }

if on_server namespace describe >/dev/null 2>&1; then
  echo "namespace $namespace: is there"
else
  on_server namespace create --retention "${TEMPORAL_RETENTION:-30d}" >/dev/null
  echo "namespace $namespace: made"
fi

# A namespace is told to all parts of a server within ten seconds.
tries=0
until there=$(on_server search-attribute list 2>/dev/null); do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "bootstrap: the namespace $namespace at $address cannot be used yet; run this again" >&2
    exit 1
  fi
  sleep 1
done

for attribute in $attributes; do
  case "$there" in
    *"$attribute"*) echo "search attribute $attribute: is there" ;;
    *)
      on_server search-attribute create --name "$attribute" --type Keyword >/dev/null
      echo "search attribute $attribute: made"
      ;;
  esac
done

if [ "$#" -gt 0 ]; then
  TEMPORAL_ADDRESS=$address TEMPORAL_NAMESPACE=$namespace "$freshet" apply "$@"
fi
