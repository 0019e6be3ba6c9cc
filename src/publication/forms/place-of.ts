import { s3ConnectionOf } from "../../acquisition/index.ts";
import type { Form } from "../../dataset/index.ts";
import { AWS } from "../../storage/index.ts";
import { FormBucket } from "./form-bucket.ts";
import { FormFolder } from "./form-folder.ts";
import type { FormPlace } from "./form-place.ts";

/** The place that a form is declared at. @throws FreshetError as `s3ConnectionOf`. */
export async function placeOf({ to, s3 }: Pick<Form, "to" | "s3">): Promise<FormPlace> {
  return to.startsWith("s3:") ? new FormBucket(to, (await s3ConnectionOf({ s3 })) ?? AWS) : new FormFolder(to);
}
