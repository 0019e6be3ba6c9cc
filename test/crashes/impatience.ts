import type { WorkflowInterceptorsFactory } from "@temporalio/workflow";

/** A worker's death is noticed by a heartbeat that does not come: in tests within seconds, by the same way as after a minute. */
const HEARTBEAT = "3 seconds";
/** For activities that are too short for heartbeats. */
const WITHOUT_HEARTBEAT = "4 seconds";

/** Workflows as they are, except that they wait less long for activities that have gone silent. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) => {
        const { heartbeatTimeout } = input.options;
        const timeouts =
          heartbeatTimeout === undefined ? { startToCloseTimeout: WITHOUT_HEARTBEAT } : { heartbeatTimeout: HEARTBEAT };
        return next({ ...input, options: { ...input.options, ...timeouts } as typeof input.options });
      },
    },
  ],
});
