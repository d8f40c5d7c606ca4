#!/usr/bin/perl
# A small legacy application, as found behind many a proxy: it knows nothing of tokens, believes
# X-User, and says on its page what it saw. usage: app.pl PORT LOG (one line a request).
use strict;
use warnings;

use IO::Socket::INET;

my ($port, $log_path) = @ARGV;
my $parent = getppid;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64,
    ReuseAddr => 1, Timeout => 1) or die "app: cannot listen on $port: $!\n";
open my $log, '>>', $log_path or die "app: $log_path: $!\n";
$log->autoflush(1);
$SIG{PIPE} = 'IGNORE';

while (getppid == $parent) {
    my $client = $listener->accept or next;
    my ($request, %headers) = scalar(<$client>) // next;
    while (defined(my $line = <$client>)) {
        $line =~ s/\r?\n\z//;
        last if $line eq '';
        my ($name, $value) = $line =~ /\A([^:]+):\s*(.*)\z/ or next;
        push @{ $headers{ lc $name } }, $value;
    }
    my $body = '';
    read $client, $body, $headers{'content-length'}[0] if $headers{'content-length'};

    # What an application of its kind would look at, spelled any way: CGI folds "-" and "_".
    my %seen;
    for my $name (keys %headers) {
        my $folded = $name =~ tr/_./--/r;
        push @{ $seen{$folded} }, @{ $headers{$name} };
    }
    my $saw = join ', ', map { "$_=" . join '|', @{ $seen{ lc $_ } } }
        grep { $seen{ lc $_ } } qw(X-User X-Scopes Authorization X-API-Key Cookie);
    my ($method, $path) = split / /, $request;
    print {$log} "$method $path saw: $saw\n";

    my $who = $seen{'x-user'} ? $seen{'x-user'}[0] : 'nobody';
    my $page = "Orders 1998. Hello $who.\nsaw: $saw\n";
    print {$client} "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
        . length($page) . "\r\n\r\n$page";
    close $client;
}
