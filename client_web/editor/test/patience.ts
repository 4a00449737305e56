/** How long tests wait for what should appear: the first to ask for a lazily loaded page also pays for its modules. */
import { configure } from "@testing-library/react";

const PATIENCE_MS = 100_000;

configure({ asyncUtilTimeout: PATIENCE_MS });
