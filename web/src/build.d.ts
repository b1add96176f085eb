/** Which API this build knows: a hash of its description. */
declare const __API__: string;
