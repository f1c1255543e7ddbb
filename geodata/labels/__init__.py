"""What is known of kilns on the ground, from files of several forms; knows nothing of models."""
