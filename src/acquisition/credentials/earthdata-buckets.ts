/**
 * Where archives of Earthdata give temporary keys for their buckets, by the beginning of a bucket's name. From CMR's collections
 * (UMM-C, `DirectDistributionInformation.S3CredentialsAPIEndpoint`), August 2026. The longest that fits is meant.
 */
const GIVERS: readonly (readonly [bucket: string, url: string])[] = [
  ["podaac-swot-", "https://archive.swot.podaac.earthdata.nasa.gov/s3credentials"],
  ["podaac-", "https://archive.podaac.earthdata.nasa.gov/s3credentials"],
  ["gesdisc-", "https://data.gesdisc.earthdata.nasa.gov/s3credentials"],
  ["ghrcw-", "https://data.ghrc.earthdata.nasa.gov/s3credentials"],
  ["lp-pro", "https://data.lpdaac.earthdatacloud.nasa.gov/s3credentials"],
  ["lp-public", "https://data.lpdaac.earthdatacloud.nasa.gov/s3credentials"],
  ["nsidc-cumulus-prod-", "https://data.nsidc.earthdatacloud.nasa.gov/s3credentials"],
  ["ob-cumulus-prod-", "https://obdaac-tea.earthdatacloud.nasa.gov/s3credentials"],
  ["ornl-cumulus-prod-", "https://data.ornldaac.earthdata.nasa.gov/s3credentials"],
  ["prod-lads", "https://data.laadsdaac.earthdatacloud.nasa.gov/s3credentials"],
  ["asdc", "https://data.asdc.earthdata.nasa.gov/s3credentials"],
  ["asf-ngap2w-p-s1-", "https://sentinel1.asf.alaska.edu/s3credentials"],
  ["asf-cumulus-prod-opera-", "https://cumulus.asf.alaska.edu/s3credentials"],
  ["asf-cumulus-prod-", "https://cumulus.asf.earthdatacloud.nasa.gov/s3credentials"],
  ["sds-n-cumulus-prod-nisar-", "https://nisar.asf.earthdatacloud.nasa.gov/s3credentials"],
  ["csda-cumulus-prod-", "https://data.csdap.earthdata.nasa.gov/s3credentials"],
];

/** Where keys for a bucket are given; undefined for one that is not known. */
export function keyGiverOf(bucket: string): string | undefined {
  const fits = GIVERS.filter(([beginning]) => bucket.startsWith(beginning));
  return fits.toSorted(([a], [b]) => b.length - a.length)[0]?.[1];
}
