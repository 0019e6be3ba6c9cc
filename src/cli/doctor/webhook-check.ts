import { secrets } from "../../secrets/index.ts";
import { checkSecrets, snsTrustOf } from "../../starters/index.ts";
import type { Check } from "./finding.ts";

/** Whether announcements by HTTP need a secret, and whether that can be had. */
export function webhookCheck(environment: NodeJS.ProcessEnv = process.env): Check {
  const { FRESHET_WEBHOOK_TOKEN: token, FRESHET_WEBHOOK_HMAC: hmac } = environment;
  return {
    part: "webhook",
    remedy: "Set FRESHET_WEBHOOK_TOKEN or FRESHET_WEBHOOK_HMAC",
    look: async () => {
      checkSecrets({ token, hmac });
      for (const text of [token, hmac]) if (text !== undefined) await secrets.textOf(text);
      const isForSns = snsTrustOf(environment) !== undefined;
      if (token !== undefined || hmac !== undefined || isForSns) return "announcements need a token or a signature";
      const note = "Set FRESHET_WEBHOOK_TOKEN or FRESHET_WEBHOOK_HMAC before it listens to anybody but this machine";
      return { found: "announcements need no token", note };
    },
  };
}
