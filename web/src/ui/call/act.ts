/** Carries out a host's request and shows its failure. */
export type Act = (request: Promise<void>) => void;
