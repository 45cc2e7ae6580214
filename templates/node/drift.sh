# What this node holds of ours against its own current bundle, a line each; asked behind a probe, which has said that there
# is one. Writes nothing.
exec sh "$state/current/apply.sh" difference
