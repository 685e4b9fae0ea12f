package route

// roomsCachedMax is for how many rooms we remember that they were kept by hand. Beyond it all are forgotten and looked up
// again; those that forget are remembered beyond it, since the other engine limits them.
const roomsCachedMax = 100_000
