"""The front door: Envoy's configuration, made from the protos.

catalogue reads the methods from the descriptor set; listeners, clusters, routes, access, jwt, limits,
transcoding and replies each make one part of the configuration as plain dictionaries; render writes
them as the files that Envoy watches.
"""
